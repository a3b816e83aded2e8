// Chat formats for files that bring no template of their own, written after each model's published format.

interface DefaultTemplate {
  /** Tokens that only a model trained on this format has. */
  readonly tokens: readonly string[]
  readonly template: string
}

/** A turn a message, and the head of an answer: what most formats are. */
const turns = (message: string, answer: string) =>
  `{{ bos_token }}{% for message in messages %}${message}{% endfor %}{% if add_generation_prompt %}${answer}{% endif %}`

/** https://github.com/openai/openai-python/blob/release-v0.28.0/chatml.md */
const chatml = `{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`

/** For models without a system turn: the system prompt opens the first question. */
const systemInQuestion = `{% set ns = namespace(system='') %}{% for message in messages %}{% if message['role'] == 'system' %}{% set ns.system = message['content'] + '\\n\\n' %}`

/** The first whose tokens the vocabulary all has. */
const byTokens: readonly DefaultTemplate[] = [
  // Qwen, SmolLM.
  { tokens: ['<|im_start|>', '<|im_end|>'], template: chatml },
  // Llama 3.
  {
    tokens: ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
    template: turns(
      `{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}`,
      `{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}`,
    ),
  },
  // Gemma 1 to 3.
  {
    tokens: ['<start_of_turn>', '<end_of_turn>'],
    template: `{{ bos_token }}${systemInQuestion}{% else %}{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user') + '\\n' + ns.system + message['content'] | trim + '<end_of_turn>\\n' }}{% set ns.system = '' %}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}`,
  },
  // Granite 3.
  {
    tokens: ['<|start_of_role|>', '<|end_of_role|>', '<|end_of_text|>'],
    template: `{% for message in messages %}{{ '<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content'] + '<|end_of_text|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_of_role|>assistant<|end_of_role|>' }}{% endif %}`,
  },
  // Phi-3 and Phi-4-mini.
  {
    tokens: ['<|user|>', '<|assistant|>', '<|end|>'],
    template: `{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}`,
  },
  // Mistral, from its third tokenizer on.
  {
    tokens: ['[INST]', '[/INST]'],
    template: `{{ bos_token }}${systemInQuestion}{% elif message['role'] == 'user' %}{{ '[INST] ' + ns.system + message['content'] + '[/INST]' }}{% set ns.system = '' %}{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}`,
  },
]

/**
 * The chat format that the special tokens of a vocabulary suggest; ChatML, as everywhere in the field, where they suggest none.
 */
export function defaultTemplate(tokens: readonly string[]): string {
  const names = new Set(byTokens.flatMap((known) => known.tokens))
  const present = new Set(tokens.filter((token) => names.has(token)))
  return byTokens.find((known) => known.tokens.every((token) => present.has(token)))?.template ?? chatml
}
