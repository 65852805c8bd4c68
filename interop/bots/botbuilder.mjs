// A bot on Microsoft's Bot Framework SDK (`botbuilder`), without credentials unless it is given an authentication of its own.
import { ActivityHandler, CardFactory, CloudAdapter, ConfigurationBotFrameworkAuthentication, MessageFactory, TurnContext } from 'botbuilder';

import { behave, PICTURE } from './behaviour.mjs';
import { host } from './host.mjs';

export async function startBotbuilder(authentication = new ConfigurationBotFrameworkAuthentication({})) {
  const adapter = new CloudAdapter(authentication);
  const connector = context => context.turnState.get(adapter.ConnectorClientKey);
  const { bot, ...rest } = behave({
    ActivityHandler,
    CardFactory,
    MessageFactory,
    referenceOf: ({ activity }) => TurnContext.getConversationReference(activity),
    members: (context, conversation) => connector(context).conversations.getConversationMembers(conversation),
    async uploadPicture(context, conversation) {
      const picture = { name: 'pixel.png', type: 'image/png', originalBase64: Buffer.from(PICTURE, 'base64') };
      const { id } = await connector(context).conversations.uploadAttachment(conversation, picture);
      return `${context.activity.serviceUrl}v3/attachments/${encodeURIComponent(id)}/views/original`;
    }
  });
  const server = await host((request, response) => adapter.process(request, response, context => bot.run(context)));
  return {
    ...server,
    ...rest,
    /** Begins a conversation with somebody, by the SDK; resolves to its id. */
    begin: (serviceUrl, member, text) =>
      new Promise((resolve, reject) => {
        const parameters = { isGroup: false, bot: { id: 'bot' }, members: [member], channelData: {} };
        adapter
          .createConversationAsync('', 'directline', serviceUrl, '', parameters, async context => {
            await context.sendActivity(text);
            resolve(context.activity.conversation.id);
          })
          .catch(reject);
      }),
    write: (reference, text) => adapter.continueConversationAsync('', reference, context => context.sendActivity(text))
  };
}
