/** Flotilla's version, the same in every package. A test compares it with the package files. */
export const version = '0.1.0';
