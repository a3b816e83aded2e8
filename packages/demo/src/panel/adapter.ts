/** What WebGPU offers here, whether or not a model uses it. */
export interface AdapterFacts {
  /** Empty where the browser gives none. */
  readonly name: string
  readonly isSoftware: boolean
  readonly features: readonly string[]
  readonly limits: readonly (readonly [name: string, value: number])[]
}

/** Null where the browser offers none. */
export async function findAdapter(): Promise<AdapterFacts | null> {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null)
  if (!adapter) return null
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info
  const name = [vendor, architecture, description].filter((part) => part !== '').join(' ')
  const limits: [string, number][] = []
  // They are getters of the prototype.
  for (const limit in adapter.limits) {
    const value = adapter.limits[limit as keyof GPUSupportedLimits]
    if (typeof value === 'number') limits.push([limit, value])
  }
  return {
    name,
    isSoftware: isFallbackAdapter || /swiftshader|llvmpipe|basic render/i.test(name),
    features: [...adapter.features].sort(),
    limits: limits.sort(([a], [b]) => a.localeCompare(b)),
  }
}
