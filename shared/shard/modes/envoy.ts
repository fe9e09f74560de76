/**
 * Envoy: `ring_hash` and `maglev`, and so Istio's. Source: ring_hash_lb.cc, maglev_lb.cc, thread_aware_lb_impl.cc.
 *
 * A shard's name is what Envoy hashes: its `hash_key`, its host name, or its address where it has none of these. An
 * unhealthy host is out of Envoy's table; one that is `down` here keeps its points, and the next attempt finds
 * another.
 */
export { envoyMaglev } from './envoy-maglev';
export { envoyRing } from './envoy-ring';
