/** What a tool could not do, in a sentence to the model. */
export class ToolError extends Error {}
