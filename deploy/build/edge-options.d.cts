import type { BuildOptions } from 'esbuild';

export declare const edgeOptions: BuildOptions;
