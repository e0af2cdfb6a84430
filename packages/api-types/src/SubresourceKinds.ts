/** Kinds that are only the bodies of subresources: they are read and answered, and no resource of their own serves them. */
export { eviction } from "./kinds/Eviction.js"
export { scale } from "./kinds/Scale.js"
export { tokenRequest } from "./kinds/TokenRequest.js"
