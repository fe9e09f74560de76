/** `faas-patterns/pipeline`: pipeline files read and checked, what to do next, drawings and exports. Runs nothing. */
export { drawMermaid } from '../../shared/pipeline/draw/mermaid';
export type { Exported, Exporter, ExportOptions } from '../../shared/pipeline/export/export';
export { toKnative } from '../../shared/pipeline/export/knative';
export { toServerlessWorkflow } from '../../shared/pipeline/export/serverless-workflow';
export { toStepFunctions } from '../../shared/pipeline/export/step-functions';
export {
  type LoadedPipeline,
  type LoadPipelineOptions,
  loadPipeline,
} from '../../shared/pipeline/load';
export {
  type LoadedPipelines,
  type LoadOptions,
  loadDirectory,
} from '../../shared/pipeline/load-directory';
export { type Next, next } from '../../shared/pipeline/next';
export type { Pipeline, PipelineMistake, Step, Target } from '../../shared/pipeline/pipeline';
export type { Results, Run, RunState, StepResult, StepState } from '../../shared/pipeline/run';
