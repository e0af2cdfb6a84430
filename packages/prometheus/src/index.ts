export * as Exposition from "./Exposition.js"
