export { probeDot } from './dot'
export { argmax, draw, drawScratchBytes, penalise, scaleLogits } from './sample'
export { scratchBytes, useScratch } from './scratch'
export { help, run, stop } from './threads'
