"""
Decisions: roles and policies, compiled once a change and asked many times, to the letter of the decision rules.

`model` has the words, `document` reads policies, `compile` makes a tenant's policy set of them and `decide` asks it.
"""
