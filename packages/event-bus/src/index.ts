export * as CacheEvent from "./CacheEvent.js"
export * as EventBusMetrics from "./EventBusMetrics.js"
export * as WatchCache from "./WatchCache.js"
export * as WatchExpired from "./WatchExpired.js"
