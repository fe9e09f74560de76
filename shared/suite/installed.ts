/**
 * What a package that is not installed is asked for with. Here all of them are; the library, which leaves most of them to
 * its users, is built with another file in the place of this one (deploy/library/peers-plugin.mjs).
 */

/** The complaint, with the command that installs it; `undefined`: it is there. */
export const missingPackage = (_name: string): string | undefined => undefined;
