/** What the engine says most, in Spanish: patterns of its English sentences. */
export const engineInSpanish: readonly (readonly [RegExp, string])[] = [
  [
    /^(.+) (WebAssembly|ONNX Runtime) goes on from here, on the CPU\. .*$/,
    '$1 Desde aquí sigue $2, en la CPU. Vuelve a cargar el modelo para que se elija de nuevo.',
  ],
  [/^WebGPU was given up: .*$/, 'WebGPU se dejó: el navegador retiró la GPU tres veces en un minuto.'],
  [/^"(\w+)" was asked for\.$/, 'Se pidió «$1».'],
  [/^Nothing was measured\.$/, 'No se midió nada.'],
  [/^The variants could not be measured: (.*)$/, 'No se pudieron medir las variantes: $1'],
  [/^"(\w+)" was the fastest here\. For one layer: (.+)$/, '«$1» fue aquí la más rápida. Por capa: $2'],
  [/^linear layers in (\S+)$/, 'capas lineales en $1'],
  [/^(WebGPU|WebAssembly|ONNX Runtime) was asked for\.$/, 'Se pidió $1.'],
  [
    /^(\S+) was as fast as (\S+) here: (.+) against (.+) for one layer\.$/,
    '$1 fue aquí tan rápido como $2: $3 frente a $4 por capa.',
  ],
  [
    /^(\S+) was (\S+) times faster than (\S+) here: (.+) against (.+) for one layer\.$/,
    '$1 fue aquí $2 veces más rápido que $3: $4 frente a $5 por capa.',
  ],
  [/^The model does not fit into (\S+)'s memory here\.$/, 'El modelo no cabe aquí en la memoria de $1.'],
  [/^(WebGPU|WebAssembly) could not be used: (.*)$/, 'No se pudo usar $1: $2'],
  [/^This browser (?:has no|does not offer) WebGPU\.$/, 'Este navegador no ofrece WebGPU.'],
  [/^This browser offers WebGPU\.$/, 'Este navegador ofrece WebGPU.'],
  [/^the CPU, one thread$/, 'la CPU, un hilo'],
  [/^the CPU, (\d+) threads$/, 'la CPU, $1 hilos'],
  [
    /^The browser may remove the model when the disk runs low\. .*$/,
    'El navegador puede borrar el modelo cuando falte espacio. Instalar la página como aplicación, o añadirla a favoritos, suele evitarlo.',
  ],
  [
    /^The browser’s storage is full: .*$/,
    'El almacenamiento del navegador está lleno: el modelo funciona desde la memoria y el resto se descarga otra vez al recargar. Para guardarlo, quita un modelo guardado o libera espacio en el disco.',
  ],
  [
    /^The browser’s storage refused to write \((.*)\): .*$/,
    'El almacenamiento del navegador no dejó escribir ($1): el modelo funciona desde la memoria y se descarga otra vez al recargar.',
  ],
  [
    /^There was no room: (.+) had not been used for longest and was removed\. .*$/,
    'Faltaba sitio: se quitó $1, que era lo que llevaba más tiempo sin usarse. Fija un modelo para que se quede pase lo que pase.',
  ],
  [
    /^The browser gives this page no storage \(IndexedDB\).*$/,
    'El navegador no da almacenamiento a esta página, como hacen algunas ventanas privadas. Los modelos se guardan en memoria y se descargan otra vez al recargar.',
  ],
  [/^Its kernels were not compiled after (\d+) s\.$/, 'Sus programas no estaban compilados después de $1 s.'],
  [/^This engine was disposed of\. .*$/, 'Este motor ya se cerró. Vuelve a cargar el modelo.'],
  [
    /^(\d+) requests wait already\. Ask again in (\d+) s\.$/,
    'Ya esperan $1 peticiones. Pregunta otra vez dentro de $2 s.',
  ],
  [
    /^On (WebGPU|WebAssembly|ONNX Runtime) this model takes (.+) \((.+) of weights, (.+) for (\d+) tokens\), and there are at most (.+?)\. .*$/,
    'En $1 este modelo ocupa $2 ($3 de pesos, $4 para $5 tokens), y hay $6 como mucho. Elige un modelo o una cuantización menor.',
  ],
  [
    /^This model has a matrix of (.+), and this device's (\S+) has buffers of at most (.+?)\. .*$/,
    'Este modelo tiene una matriz de $1, y los búferes de $2 llegan aquí a $3. Elige un modelo o una cuantización menor, u otro sitio donde ejecutarlo.',
  ],
  [
    /^There is no model "(.+)" here; "(.+)" is loaded\. .*$/,
    'Aquí no hay ningún modelo «$1»; el cargado es «$2».',
  ],
  [
    /^The GPU was lost while it held (.+)\. .*$/,
    'La GPU se perdió mientras tenía $1. Ejecútalo otra vez: se carga de nuevo desde este dispositivo.',
  ],
  [
    /^The server answered (\d+) for (\S+)\. .*$/,
    'El servidor respondió $1 a $2. Comprueba la dirección y vuelve a cargar.',
  ],
  [
    /^The server .* while loading (\S+?)\. Check the connection.*$/,
    'El servidor no respondió al cargar $1. Comprueba la conexión y vuelve a cargar: lo que ha llegado se guarda.',
  ],
  [
    /^(.+) has SHA-256 \S+ and should have \S+\. .*$/,
    '$1 no es lo que debería: su SHA-256 es otro. Vuelve a cargarlo.',
  ],
  [
    /^A part of (.+) is gone from the browser’s storage\. .*$/,
    'Una parte de $1 ya no está en el almacenamiento del navegador. Vuelve a cargarlo.',
  ],
  [
    /^The browser took the GPU away .*$/,
    'El navegador retiró la GPU. Pregunta otra vez: el modelo se carga de nuevo desde este dispositivo.',
  ],
  [
    /^The GPU cannot hold the model's (.+) of weights\. .*$/,
    'La GPU no tiene sitio para los $1 de pesos del modelo. Cierra otras pestañas que usen la GPU o elige un modelo menor.',
  ],
  [
    /^WebAssembly has no room for (.+?): .*$/,
    'WebAssembly no tiene sitio para $1. Cierra otras pestañas o elige un modelo menor.',
  ],
  [
    /^The prompt has (\S+) tokens; the context holds (\S+)\. .*$/,
    'La conversación tiene $1 tokens y el contexto admite $2. Acórtala o empieza un chat nuevo.',
  ],
]
