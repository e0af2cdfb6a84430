/** Conditions of a ZoneInstance: once set they stay, and their time changes only with their status. Pure. */
import { Timestamp } from "@reddwarf/api-types"
import type { Condition, Status } from "./ZoneInstance.js"

/** A condition before it has times. @category models */
export interface ConditionValue {
  readonly type: string
  readonly status: Condition["status"]
  /** One of a small set of words. */
  readonly reason: string
  /** What will happen, for people. Without counts and times: a message that changes is a write. */
  readonly message: string
}

/** @category combinators */
export const get = (status: Status, type: string): Condition | undefined => status.conditions?.find((condition) => condition.type === type)

/** @category combinators */
export const isTrue = (status: Status, type: string): boolean => get(status, type)?.status === "True"

/** The same status when nothing changes. @category combinators */
export const set = (status: Status, value: ConditionValue, generation: number | undefined, now: number): Status => {
  const before = get(status, value.type)
  if (
    before !== undefined && before.status === value.status && before.reason === value.reason && before.message === value.message &&
    before.observedGeneration === generation
  ) return status
  const after: Condition = {
    ...value,
    lastTransitionTime: before?.status === value.status ? before.lastTransitionTime : Timestamp.secondsFromMillis(now),
    ...(generation === undefined ? {} : { observedGeneration: generation })
  }
  const conditions = status.conditions ?? []
  return {
    ...status,
    conditions: before === undefined ? [...conditions, after] : conditions.map((condition) => condition === before ? after : condition)
  }
}

/** Makes a condition that was set before False; does nothing where it never was. @category combinators */
export const clear = (status: Status, value: Omit<ConditionValue, "status">, generation: number | undefined, now: number): Status =>
  get(status, value.type) === undefined ? status : set(status, { ...value, status: "False" }, generation, now)

/** Plan types as condition reasons allow them: without hyphens, such as `ImageUpdate`. @category combinators */
export const camelCase = (type: string): string => type.split("-").map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join("")
