export { probeDot } from './dot'
export { argmax, scaleLogits } from './sample'
export { useScratch } from './scratch'
export { help, run, stop } from './threads'
