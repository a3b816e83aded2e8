/** What earlier loads measured on this device. Without storage both reject, and every load measures. */
export interface Remembered<Value> {
  get(key: string): Promise<Value | undefined>
  set(key: string, value: Value): Promise<void>
}
