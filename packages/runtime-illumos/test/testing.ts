/** What the tests of the simulated host take from here, as `@reddwarf/runtime-illumos/testing`: not published. */
export { podShape } from "./podSpecs.js"
export { transcriptOf } from "./transcripts.js"
export { zoneConfig } from "./zoneConfigs.js"
