export { type CompileOptions, compileFolder } from './compile-folder.js';
export type { FolderContent, FolderEntry, FolderFault, FolderProblem, FolderUnit } from './folder-model.js';
export { type FolderLook, hasFolderMoved, lookAtFolder, type MissingFolder } from './look-at-folder.js';
export { readUnitPaths } from './read-unit-paths.js';
