"""How words leave the house: letters to customers, and notices to staff by the same ways."""

from functools import partial

from console.adapters.letter_sinks import (
    LetterFolder,
    LettersByWay,
    MailLetters,
    MailRoute,
    NoLetters,
    WebhookLetters,
)
from console.adapters.notice_folder import NoNotices, NoticeFolder
from console.adapters.notice_letters import MailedNotices, PostedNotices
from console.ports.customer_letters import LetterSink
from console.ports.outbox import NoticeSink
from console.settings import Settings
from console.usecases.deliver_notices import reader_of
from console.usecases.house import House


def letters_of(settings: Settings, house: House) -> LettersByWay:
    """Return the ways out for letters to customers."""
    return LettersByWay(mail=_mail(settings), webhook=WebhookLetters(house.outbound, house.webhook_keys))


def notices_of(settings: Settings, house: House) -> NoticeSink:
    """Return the way out for notices to staff. Raises: BadValueError for a secret that signs nothing."""
    chosen = settings.notices
    if chosen.folder is not None:
        return NoticeFolder(chosen.folder)
    if chosen.mail:
        return MailedNotices(_mail(settings), partial(reader_of, house), address=chosen.address)
    if chosen.webhook_url is None or chosen.webhook_secret is None:
        return NoNotices()
    sealed = house.webhook_keys.seal(chosen.webhook_secret.get_secret_value()).sealed
    letters = WebhookLetters(house.outbound, house.webhook_keys)
    return PostedNotices(letters, url=chosen.webhook_url, secret=sealed, address=chosen.address)


def _mail(settings: Settings) -> LetterSink:
    chosen = settings.letters
    if chosen.folder is not None:
        return LetterFolder(chosen.folder)
    if chosen.smtp_host is None:
        return NoLetters()
    return MailLetters(
        MailRoute(
            host=chosen.smtp_host,
            port=chosen.smtp_port,
            user=chosen.smtp_user,
            password=None if chosen.smtp_password is None else chosen.smtp_password.get_secret_value(),
            tls=chosen.smtp_tls,
            sender=chosen.sender,
            timeout_s=chosen.timeout_s,
        )
    )
