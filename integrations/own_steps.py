"""What a person does when something of Daybook itself needs care: its messages, its machines."""

MESSAGES_STEPS = (
    "Open the list: it shows to whom nothing could be delivered, and why.",
    "Correct the address of the person, or of the mail server (EMAIL_URL), and send a test message.",
    "This alert closes when a message has gone through.",
)
SILENT_MACHINE_STEPS = (
    "Is the machine meant to be there? See whether it has power, network and disk, and what its log says.",
    "Restart its workers; that is always safe.",
    "Was it taken away? Then this closes by itself an hour after its last sign of life.",
)
