/** What people call the families whose files have names of their own for them. */
const families: Readonly<Record<string, string>> = {
  llama: 'Llama',
  qwen2: 'Qwen 2',
  qwen3: 'Qwen 3',
  gemma: 'Gemma',
  gemma2: 'Gemma 2',
  gemma3: 'Gemma 3',
  phi3: 'Phi 3',
  olmo2: 'OLMo 2',
  granite: 'Granite',
  smollm3: 'SmolLM 3',
  bert: 'BERT',
}

/** One that is not known is called what its file calls it. */
export const familyName = (architecture: string): string => families[architecture] ?? architecture
