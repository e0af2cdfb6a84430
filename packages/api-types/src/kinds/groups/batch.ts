import type * as Kind from "../../Kind.js"
import { cronJob } from "../CronJob.js"
import { job } from "../Job.js"

export { cronJob, job }

/** The kinds of `batch`, in the order of discovery. @category constructors */
export const batch: ReadonlyArray<Kind.Kind> = [cronJob, job]
