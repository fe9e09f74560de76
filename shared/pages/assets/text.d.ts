/** Files that are imported as text, `with { type: 'text' }`, and sent to the browser as they are. */
declare module '*.css' {
  const text: string;
  export default text;
}

declare module '*.client.js' {
  const text: string;
  export default text;
}
