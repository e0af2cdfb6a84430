import type * as Kind from "../../Kind.js"
import { eventsV1Event } from "../EventsV1Event.js"

export { eventsV1Event }

/** The kinds of `events.k8s.io`, in the order of discovery. @category constructors */
export const events: ReadonlyArray<Kind.Kind> = [eventsV1Event]
