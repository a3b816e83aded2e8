/** Kernels compiled by scripts/assemblyscript.mjs. */
declare module '*?wasm=plain' {
  export const base64: string
}
declare module '*?wasm=relaxed' {
  export const base64: string
}
