export { probeDot } from './dot'
export { argmax, draw, drawScratchBytes, penalise, scaleLogits } from './sample'
export { useScratch } from './scratch'
export { help, run, stop } from './threads'
