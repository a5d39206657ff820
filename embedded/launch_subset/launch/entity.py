"""What a launch description is made of."""


class LaunchDescriptionEntity:
    """Anything that can be visited: an action or a whole description."""

    def visit(self, context):
        """Do the work. Return entities to visit next, or None. Abstract, as officially: every kind of entity has its own."""
        raise NotImplementedError

    def describe_sub_entities(self):
        """Return the entities inside that are known before the launch runs."""
        return []

    def describe_conditional_sub_entities(self):
        """Return (condition in words, entities) of what may be visited later."""
        return []


class Action(LaunchDescriptionEntity):
    """An entity with a condition."""

    def __init__(self, *, condition=None):
        self.condition = condition

    def visit(self, context):
        if self.condition is None or self.condition.evaluate(context):
            return self.execute(context)
        return None

    def execute(self, context):
        """Do the work of the action. Return entities to visit next, or None. Abstract: every action has its own."""
        raise NotImplementedError


class LaunchDescription(LaunchDescriptionEntity):
    """A list of entities that are visited in order."""

    def __init__(self, initial_entities=None):
        self.entities = list(initial_entities or [])

    def visit(self, context):
        return self.entities

    def describe_sub_entities(self):
        return self.entities

    def add_action(self, action):
        """Append an action."""
        self.entities.append(action)

    def add_entity(self, entity):
        """Append an entity."""
        self.entities.append(entity)

    def get_launch_arguments(self):
        """Return the declared arguments, the ones of included files among them, each name once."""
        from launch.actions import DeclareLaunchArgument

        found = {}
        for entity in walk(self):
            if isinstance(entity, DeclareLaunchArgument):
                found.setdefault(entity.name, entity)
        return list(found.values())


def walk(entity):
    """Yield an entity and all those inside it that are known before the launch runs."""
    yield entity
    for part in entity.describe_sub_entities():
        yield from walk(part)
    for _, parts in entity.describe_conditional_sub_entities():
        for part in parts:
            yield from walk(part)
