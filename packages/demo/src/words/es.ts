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
  chats: {
    newChat: 'Chat nuevo',
    search: 'Buscar en los chats',
    allChats: 'Todos los chats',
    untitled: 'Chat sin palabras',
    today: 'Hoy',
    lastSevenDays: 'Últimos siete días',
    older: 'Anteriores',
    found: (chats) =>
      chats === 0
        ? 'No se encontró ningún chat'
        : chats === 1
          ? '1 chat encontrado'
          : `${chats} chats encontrados`,
    actsOf: (title) => `Más opciones del chat: ${title}`,
    titleOf: (title) => `Nuevo título del chat: ${title}`,
    rename: 'Cambiar el título',
    delete: 'Eliminar',
    deleted: (title) => `Se eliminó «${title}».`,
    deletedMany: (chats) => `Se eliminaron ${chats} chats.`,
    undo: 'Deshacer',
    close: 'Cerrar',
    exportAll: 'Exportar todos los chats',
    exportJson: 'Exportar como JSON',
    exportMarkdown: 'Exportar como Markdown',
    import: 'Importar chats',
    importMore: 'Importar más',
    chooseAnother: 'Elegir otro archivo',
    imported: (added, known) => {
      const here =
        known === 0 ? '' : ` ${known === 1 ? '1 chat ya estaba' : `${known} chats ya estaban`} aquí.`
      if (added === 0) return `No había nada nuevo.${here}`
      return `${added === 1 ? 'Se importó 1 chat' : `Se importaron ${added} chats`}.${here}`
    },
    importProblem: (file, problem) => {
      const none = 'No se importó ningún chat.'
      switch (problem.kind) {
        case 'too-large':
          return `${file} ocupa más de 200 MB. ${none}`
        case 'not-json':
          return `${file} no es JSON o está incompleto. ${none}`
        case 'not-chats':
          return `${file} no contiene chats exportados desde aquí. ${none}`
        case 'newer':
          return `${file} se escribió con una versión más nueva de esta página. Recarga la página e impórtalo de nuevo.`
        case 'damaged':
          return problem.message === undefined
            ? `En ${file}, el chat ${problem.chat} no tiene un «${problem.field}» válido. ${none}`
            : `En ${file}, el mensaje ${problem.message} del chat ${problem.chat} no tiene un «${problem.field}» válido. ${none}`
      }
    },
    you: 'Tú',
    answer: 'Respuesta',
    edit: 'Editar',
    editQuestion: 'Editar la pregunta',
    questionInOtherWords: 'La pregunta con otras palabras',
    editKeepsBoth: 'Tus primeras palabras quedan en su propia rama.',
    cancel: 'Cancelar',
    send: 'Enviar',
    previousVersion: 'Versión anterior',
    nextVersion: 'Versión siguiente',
    placeOf: (place, of) => `${place} de ${of}`,
    branch: 'Ramificar',
    branchHint: 'Seguir desde aquí en un chat nuevo',
    branchOf: (title) => `${title} (rama)`,
    notKept:
      'Este navegador no da a la página dónde guardar los chats, como ocurre en algunas ventanas privadas. Quedan en esta pestaña y se pierden al cerrarla.',
    storeFull:
      'El almacenamiento está lleno. Lo nuevo de tus chats solo está en esta pestaña: quita un modelo o chats antiguos, o expórtalos.',
    storeNewer:
      'Una versión más nueva de esta página guarda los chats de otra manera. Recarga para obtenerla; lo que solo está en esta pestaña se puede exportar antes.',
    reload: 'Recargar',
    tryAgain: 'Intentar de nuevo',
    removeModels: 'Quitar modelos',
    deleteOldest: (chats) =>
      chats === 1 ? 'Eliminar el chat más antiguo' : `Eliminar los ${chats} chats más antiguos`,
    keyNew: 'Chat nuevo',
    keySearch: 'Buscar en los chats',
    keyRename: 'Cambiar el título del chat',
    keyDelete: 'Eliminar el chat, en la lista',
    keyUndo: 'Recuperar lo que se acaba de eliminar',
    keyList: 'De un chat a otro, en la lista',
  },
}
