const shaders = import.meta.glob<string>('#shaders/**/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** Another one where any shader is another: what was measured of the old ones no longer counts. FNV-1a. */
export const kernelVersion: string = (() => {
  let hash = 0x811c_9dc5
  for (const path of Object.keys(shaders).sort()) {
    const code = shaders[path]!
    for (let i = 0; i < code.length; i++) hash = Math.imul(hash ^ code.charCodeAt(i), 0x0100_0193)
  }
  return (hash >>> 0).toString(16)
})()
