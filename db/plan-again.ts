/**
 * What a message raises when what it was planned on has changed: finance closed a month, retention went on, somebody else brought or corrected the
 * same usage first. Nothing has happened then: plan again.
 */
export const PLAN_AGAIN = "OMCLS";
