const paths = {
  menu: 'M4 7h16M4 12h16M4 17h16',
  panel: 'M4 5h16v14H4zM15 5v14',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M12 5v14M6 13l6 6 6-6',
  up: 'M12 19V5M6 11l6-6 6 6',
  plus: 'M12 5v14M5 12h14',
  search: 'M10.5 4.5a6 6 0 1 1 0 12 6 6 0 0 1 0-12ZM15 15l4.5 4.5',
  more: 'M4.6 12a.9 .9 0 1 0 1.8 0 .9 .9 0 1 0-1.8 0M11.1 12a.9 .9 0 1 0 1.8 0 .9 .9 0 1 0-1.8 0M17.6 12a.9 .9 0 1 0 1.8 0 .9 .9 0 1 0-1.8 0',
  edit: 'M4.5 19.5l.8-3.8L16 5l3 3L8.3 18.7zM14 7l3 3',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v5.5M13.5 10.5v5.5',
  pin: 'M9 4.5h6l-.8 5.5 3.3 3.5h-11L9.8 10zM12 13.5v6',
  copy: 'M9 9h10v10H9zM15 9V5H5v10h4',
  again: 'M19 12a7 7 0 1 1-2.2-5.1L19 9M19 4.5V9h-4.5',
  branch: 'M6 4.5v15M6 15c7 0 11-2.5 11-9M13.5 9L17 5.5 20.5 9',
  heat: 'M5 19v-5M10 19V9M15 19v-8M20 19V5',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  warning: 'M12 4l9 15.5H3zM12 10v4.5M12 17h.01',
  file: 'M6 3.5h8l4 4v13H6zM14 3.5v4h4',
  fetch: 'M12 4v11M7 10.5l5 5 5-5M5 19.5h14',
  export: 'M12 15.5V4.5M7 9l5-5 5 5M5 19.5h14',
  keys: 'M3.5 7h17v10.5h-17zM7 10.5h.01M10.5 10.5h.01M14 10.5h.01M17 10.5h.01M8.5 14h7',
  tune: 'M4 8h9M18 8h2M4 16h2M11 16h9M13 5.5v5h5v-5zM6 13.5v5h5v-5z',
  chat: 'M4.5 5h15v11h-8L7 19.5V16H4.5z',
  models: 'M12 3.5l8 4.5v8l-8 4.5L4 16V8zM4 8l8 4.5L20 8M12 12.5v8',
  compare: 'M4 5h7v14H4zM13 5h7v14h-7z',
  onnx: 'M6 8.5a2.5 2.5 0 1 1 0-5 2.5 2.5 0 0 1 0 5ZM6 20.5a2.5 2.5 0 1 1 0-5 2.5 2.5 0 0 1 0 5ZM18 14.5a2.5 2.5 0 1 1 0-5 2.5 2.5 0 0 1 0 5ZM8.2 7.2l7.5 3.7M8.2 16.8l7.5-3.7',
  api: 'M8.5 7L3.5 12l5 5M15.5 7l5 5-5 5M13.5 5l-3 14',
  benchmark: 'M4 17.5a8 8 0 1 1 16 0M12 17.5l4-6.5M4 17.5h2M18 17.5h2',
  options: 'M4 7h8M18 7h2M4 17h2M12 17h8M15 4v6M9 14v6',
} as const

export type IconName = keyof typeof paths

/** A line icon; what it means is said by the control around it. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}

export function Ember() {
  return (
    <svg class="ember" viewBox="0 0 24 24" aria-hidden="true">
      <path
        d="M12 1.5c1 4.2 6.5 6.7 6.5 12.6a6.5 6.5 0 1 1-13 0c0-2.7 1.4-4.4 2.8-5.9.3 1.8 1.1 2.7 2.2 3.1C10.2 8.1 10.4 4.9 12 1.5Z"
        fill="var(--ember)"
      />
      <path d="M12 13c.5 1.7 2.4 2.4 2.4 4.6a2.4 2.4 0 1 1-4.8 0c0-2 1.7-2.8 2.4-4.6Z" fill="var(--panel)" />
    </svg>
  )
}

/** The name as it is drawn beside the ember. */
export function Wordmark() {
  return (
    <svg class="wordmark" viewBox="0 0 50.5 18" role="img" aria-label="Brasa">
      <path d="M2 3.5V16h5a3.3 3.3 0 0 0 0-6.6H2M2 3.5h4.2a2.95 2.95 0 0 1 0 5.9M13.8 8v8M13.8 11.8c.3-2.4 1.7-3.7 3.9-3.7M20.5 12a4 4 0 1 0 8 0 4 4 0 1 0-8 0M28.5 8v8M36.9 9.5C36.3 8.5 35.3 8 34.1 8c-1.6 0-2.7.8-2.7 2 0 2.9 5.8 1.2 5.8 4.1 0 1.2-1.2 1.9-2.9 1.9-1.5 0-2.7-.6-3.3-1.6M40.1 12a4 4 0 1 0 8 0 4 4 0 1 0-8 0M48.1 8v8" />
    </svg>
  )
}
