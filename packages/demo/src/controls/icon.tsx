const paths = {
  menu: 'M4 7h16M4 12h16M4 17h16',
  panel: 'M4 5h16v14H4zM15 5v14',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M12 5v14M6 13l6 6 6-6',
  previous: 'M14.5 6l-6 6 6 6',
  next: 'M9.5 6l6 6-6 6',
  more: 'M5.5 12h.01M12 12h.01M18.5 12h.01',
} as const

/** A line icon; what it means is said by the control around it. */
export function Icon({ name }: { readonly name: keyof typeof paths }) {
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
