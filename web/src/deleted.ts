// What the bot deletes disappears from the transcript.
//
// The channel says so with a `messageDelete` under the id of what is gone. Web Chat has an action that removes an activity, and
// nothing that turns the one into the other.

type Action = { type: string; payload?: { activity?: { id?: string; type?: string } } };

export const removeDeleted = () => (next: (action: Action) => unknown) => (action: Action) => {
  const activity = action.type === 'DIRECT_LINE/INCOMING_ACTIVITY' ? action.payload?.activity : undefined;
  // What is still being sent has no id, and is not meant.
  return activity?.type === 'messageDelete' && activity.id !== undefined
    ? next({ type: 'DIRECT_LINE/DELETE_ACTIVITY', payload: { activityID: activity.id } } as Action)
    : next(action);
};
