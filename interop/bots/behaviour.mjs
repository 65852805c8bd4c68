// What the bots of these tests do, whichever SDK they are written with. `sdk` has the SDK's own classes, and its ways of doing
// what the SDKs name differently.

/** One pixel. */
export const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export function behave({ ActivityHandler, CardFactory, MessageFactory, referenceOf, members, uploadPicture }) {
  const references = new Map();
  const notes = new Map();

  class Bot extends ActivityHandler {
    constructor() {
      super();
      this.onMembersAdded(async (context, next) => {
        const { membersAdded, recipient } = context.activity;
        for (const member of membersAdded.filter(({ id }) => id !== recipient.id)) {
          await context.sendActivity(`Hello, ${member.name ?? member.id}.`);
        }
        await next();
      });
      this.onMessage(async (context, next) => {
        await this.answer(context);
        await next();
      });
    }

    async answer(context) {
      const { text = '', value, attachments, conversation } = context.activity;
      // `attachments` is empty or absent when there are none, and so is a file without bytes.
      if (attachments?.some(({ contentUrl }) => contentUrl)) return context.sendActivity(await described(attachments));
      if (value) return context.sendActivity(`Submitted: ${JSON.stringify(value)}`);
      const say = commands[text.trim()];
      return say ? say(context, conversation.id) : context.sendActivity(`Echo: ${text}`);
    }

    async onInvokeActivity(context) {
      const { name, value } = context.activity;
      if (name === 'double') return { status: 200, body: { result: value.number * 2 } };
      return { status: 501 };
    }
  }

  const commands = {
    hero: context =>
      context.sendActivity({
        type: 'message',
        attachments: [
          CardFactory.heroCard('A hero card', 'with two buttons', undefined, [
            { type: 'imBack', title: 'Say it', value: 'said by a button' },
            { type: 'messageBack', title: 'Send it', text: 'sent by a button', displayText: 'Shown instead', value: { button: 2 } }
          ])
        ]
      }),
    adaptive: context =>
      context.sendActivity({ type: 'message', attachments: [CardFactory.adaptiveCard(adaptiveCard)] }),
    suggest: context => context.sendActivity(MessageFactory.suggestedActions(choices, 'What may it be?')),
    picture: async (context, conversation) =>
      context.sendActivity({
        type: 'message',
        text: 'A picture',
        attachments: [{ contentType: 'image/png', name: 'pixel.png', contentUrl: await uploadPicture(context, conversation) }]
      }),
    typing: context => context.sendActivity({ type: 'typing' }),
    note: async (context, conversation) => {
      const sent = await context.sendActivity('A note, as it was first');
      notes.set(conversation, sent.id);
    },
    change: (context, conversation) =>
      context.updateActivity({ ...MessageFactory.text('A note, changed'), id: notes.get(conversation) }),
    erase: (context, conversation) => context.deleteActivity(notes.get(conversation)),
    members: async (context, conversation) => {
      const names = (await members(context, conversation)).map(({ id, name }) => `${name ?? '?'} (${id})`);
      await context.sendActivity(`Members: ${names.join(', ')}`);
    },
    'remember me': async (context, conversation) => {
      // As a bot would keep it in a database.
      references.set(conversation, JSON.stringify(referenceOf(context)));
      await context.sendActivity('I shall write to you.');
    }
  };

  return { bot: new Bot(), reference: conversation => JSON.parse(references.get(conversation)) };
}

const choices = ['Tea', 'Coffee'].map(choice => ({ type: 'imBack', title: choice, value: choice }));

const adaptiveCard = {
  type: 'AdaptiveCard',
  version: '1.3',
  body: [
    { type: 'TextBlock', text: 'An Adaptive Card', weight: 'bolder' },
    { type: 'Input.Text', id: 'name', label: 'Your name' }
  ],
  actions: [{ type: 'Action.Submit', title: 'Confirm', data: { action: 'confirm' } }]
};

/** Fetches what came along, as a bot must to use it. */
async function described(attachments) {
  const parts = await Promise.all(
    attachments.map(async ({ name, contentType, contentUrl }) => {
      const response = await fetch(contentUrl);
      const bytes = Buffer.from(await response.arrayBuffer());
      return `${name} (${contentType}, ${response.headers.get('content-type')}, ${response.status}): ${bytes.toString('hex')}`;
    })
  );
  return `Received ${parts.join('; ')}`;
}
