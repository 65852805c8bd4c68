// A bot on Microsoft's 365 Agents SDK (`@microsoft/agents-hosting`), without credentials.
import { ActivityHandler, CardFactory, CloudAdapter, MessageFactory } from '@microsoft/agents-hosting';

import { behave, PICTURE } from './behaviour.mjs';
import { host } from './host.mjs';

export async function startAgents() {
  const adapter = new CloudAdapter({});
  // A turn that fails is to fail; the SDK's own way is to tell the person so, and to answer that all went well.
  adapter.onTurnError = async (_, error) => {
    throw error;
  };
  const connector = context => context.turnState.get(adapter.ConnectorClientKey);
  const { bot, ...rest } = behave({
    ActivityHandler,
    CardFactory,
    MessageFactory,
    referenceOf: ({ activity }) => activity.getConversationReference(),
    // This SDK's client asks for one member at a time.
    members: async (context, conversation) => [
      await connector(context).getConversationMember(context.activity.from.id, conversation),
      await connector(context).getConversationMember(context.activity.recipient.id, conversation)
    ],
    async uploadPicture(context, conversation) {
      const picture = { name: 'pixel.png', type: 'image/png', originalBase64: PICTURE };
      const { id } = await connector(context).uploadAttachment(conversation, picture);
      return `${context.activity.serviceUrl}v3/attachments/${encodeURIComponent(id)}/views/original`;
    }
  });
  const server = await host((request, response) => adapter.process(request, response, context => bot.run(context)));
  return {
    ...server,
    ...rest,
    // Nobody in particular: there are no credentials.
    write: (reference, text) => adapter.continueConversation({}, reference, async context => void (await context.sendActivity(text)))
  };
}
