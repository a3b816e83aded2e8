/** Every word of the page in English, a section a room. Where a number is in it, the words are a function of the number. */
export const en = {
  app: {
    chat: 'Chat',
    models: 'Models',
    onnx: 'ONNX',
    api: 'API',
    compare: 'Compare',
    benchmark: 'Benchmark',
    keys: 'Keys',
    partsOfThePage: 'Parts of the page',
  },
}
