/** The text of src/socket/secretbox-wasm.ts. */
export function compiled(): Promise<string>;
