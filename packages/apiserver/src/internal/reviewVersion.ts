/** The group, version and kind of what a webhook has answered. */
import { textAt } from "./jsonValue.js"

/** `group/version, Kind=kind`, as messages of Kubernetes have it: also what is missing leaves its place. */
export const described = (value: unknown): string => {
  const apiVersion = textAt(value, "apiVersion")
  return `${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${textAt(value, "kind")}`
}
