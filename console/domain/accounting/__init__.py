"""What billing means for the books: a double-entry journal, receivables rolled forward, debts by age."""
