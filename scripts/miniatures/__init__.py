"""Sample data of four small systems: instructions, a novel, questions, chats."""
