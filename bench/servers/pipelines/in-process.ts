/** A driver: runs of fan-out on the engine that ENGINE_URL names, in the same process. */
import { drive } from './driver.cjs';
import { openEngine, runOnce } from './engine';

void openEngine(process.env.ENGINE_URL ?? '').then((engine) => drive(() => () => runOnce(engine)));
