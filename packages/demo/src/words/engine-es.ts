/** What the engine says most, in Spanish: patterns of its English sentences. */
export const engineInSpanish: readonly (readonly [RegExp, string])[] = [
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
