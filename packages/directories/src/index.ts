export type { DirectoryMemory, Held } from './brake.js';
export { createDirectories, type Directories, type DirectoriesOptions, type WatchedDirectory } from './directories.js';
export type { DirectoryDescription } from './directory-pass.js';
export type { FolderAccess } from './folder-access.js';
export type { MemoryFile } from './memory-file.js';
