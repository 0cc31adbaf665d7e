using Engram.Data;

namespace Engram.Streams;

/// <summary>Gives every label an id in order of arrival, which it keeps for ever; the id is also its row in the head.</summary>
/// <remarks>In task-incremental learning the same label in two tasks is two classes, so the key includes the task.</remarks>
public sealed class ClassRegistry
{
    private readonly List<ClassKey> _classes = [];
    private readonly Dictionary<ClassKey, int> _ids = [];

    /// <summary>How many classes are known; ids are 0 to <c>Count − 1</c>.</summary>
    public int Count => _classes.Count;

    /// <summary>The known classes by id.</summary>
    public IReadOnlyList<ClassKey> Classes => _classes;

    /// <summary>The id of a class, registering it if it is new.</summary>
    /// <param name="label">The label.</param>
    /// <param name="task">The task it belongs to, in task-incremental learning.</param>
    public int Register(Label label, int? task = null)
    {
        var key = new ClassKey(label, task);
        if (_ids.TryGetValue(key, out var id)) return id;
        _ids[key] = _classes.Count;
        _classes.Add(key);
        return _classes.Count - 1;
    }

    /// <summary>The id of a class, or −1 if it was never registered.</summary>
    /// <param name="label">The label.</param>
    /// <param name="task">The task it belongs to, in task-incremental learning.</param>
    public int IdOf(Label label, int? task = null) => _ids.GetValueOrDefault(new ClassKey(label, task), -1);

    /// <summary>The label of a class.</summary>
    /// <param name="id">An id given by <see cref="Register"/>.</param>
    public Label LabelOf(int id) => _classes[id].Label;

    /// <summary>The ids of all classes of one task, in order.</summary>
    /// <param name="task">The task.</param>
    public int[] IdsOfTask(int task) => [.. Enumerable.Range(0, Count).Where(id => _classes[id].Task == task)];
}

/// <summary>What makes a class one class.</summary>
/// <param name="Label">Its label.</param>
/// <param name="Task">Its task, in task-incremental learning.</param>
public readonly record struct ClassKey(Label Label, int? Task);
