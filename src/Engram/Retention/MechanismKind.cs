using System.Reflection;

namespace Engram.Retention;

/// <summary>A mechanism that can be made by its name, with options of its own type.</summary>
/// <param name="Name">As <see cref="RetentionMechanism.Name"/> says.</param>
/// <param name="OptionsType">The type of its options; null where it has none.</param>
public sealed record MechanismKind(string Name, Type? OptionsType)
{
    private static readonly Lazy<IReadOnlyList<MechanismKind>> s_all = new(Find);

    private ConstructorInfo _constructor = null!;

    /// <summary>Every mechanism of the library, by name.</summary>
    public static IReadOnlyList<MechanismKind> All => s_all.Value;

    /// <summary>The mechanism of a name.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">There is none of that name; the message lists all.</exception>
    public static MechanismKind Named(string name) =>
        All.FirstOrDefault(kind => kind.Name == name)
        ?? throw new ArgumentException(
            $"mechanism: \"{name}\" is unknown, expected one of {string.Join(", ", All.Select(kind => kind.Name))}");

    /// <summary>Makes a new mechanism for one learner.</summary>
    /// <param name="options">Of <see cref="OptionsType"/>; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public RetentionMechanism Create(object? options = null)
    {
        try
        {
            return (RetentionMechanism)_constructor.Invoke(OptionsType is null ? [] : [options]);
        }
        catch (TargetInvocationException problem) when (problem.InnerException is ArgumentException inner)
        {
            throw inner;
        }
    }

    private static MechanismKind[] Find()
    {
        var kinds = new List<MechanismKind>();
        foreach (var type in typeof(RetentionMechanism).Assembly.GetExportedTypes())
        {
            if (type.IsAbstract || !type.IsSubclassOf(typeof(RetentionMechanism))) continue;
            // Every mechanism takes its options, or nothing.
            var constructor = type.GetConstructors().Single();
            var options = constructor.GetParameters().SingleOrDefault()?.ParameterType;
            var kind = new MechanismKind("", options) { _constructor = constructor };
            using var sample = kind.Create();
            kinds.Add(kind with { Name = sample.Name });
        }
        return [.. kinds.OrderBy(kind => kind.Name, StringComparer.Ordinal)];
    }
}
