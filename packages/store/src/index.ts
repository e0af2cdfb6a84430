export * as Key from "./Key.js"
export * as ObjectStore from "./ObjectStore.js"
export * as StoreError from "./StoreError.js"
export * as StoreMetrics from "./StoreMetrics.js"
