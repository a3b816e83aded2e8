import type { Words } from './words.ts'

/** Every word of the page in Spanish. */
export const es: Words = {
  app: {
    chat: 'Chat',
    models: 'Modelos',
    onnx: 'ONNX',
    api: 'API',
    compare: 'Comparar',
    benchmark: 'Medición',
    keys: 'Teclas',
    partsOfThePage: 'Partes de la página',
  },
}
