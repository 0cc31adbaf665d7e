using System.Collections.Frozen;
using Engram.Client;

namespace Engram.Server.Security;

/// <summary>Who sends a request, what that allows, and of which learners.</summary>
internal sealed class Caller
{
    private readonly int _roles;
    private readonly FrozenSet<string>? _learners;

    private Caller(string id, string name, IEnumerable<Role> roles, IReadOnlyList<string> learners)
    {
        (Id, Name) = (id, name);
        foreach (var role in roles) _roles |= Includes(role);
        _learners = learners.Count == 0 ? null : learners.ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>Everyone, where no keys are asked for.</summary>
    public static Caller Anyone { get; } = new("anyone", "anyone", [Role.Admin], []);

    /// <summary>Whoever holds a key.</summary>
    public static Caller Of(KeyInfo key) => new(key.Id, key.Name, key.Roles, key.Learners);

    /// <summary>The key's id.</summary>
    public string Id { get; }

    /// <summary>The key's name.</summary>
    public string Name { get; }

    /// <summary>Who it is, for the audit log: name and id, since names may repeat.</summary>
    public string Signature => Id == Name ? Name : $"{Name} ({Id})";

    /// <summary>Whether it is bound to no learner in particular.</summary>
    public bool ReachesAll => _learners is null;

    /// <summary>Whether it may know of a learner.</summary>
    public bool Reaches(string learner) => _learners is null || _learners.Contains(learner);

    /// <summary>Whether it may do what a role allows.</summary>
    public bool Has(Role role) => (_roles & Bit(role)) != 0;

    private static int Includes(Role role) => role switch
    {
        Role.Operate => Bit(Role.Predict) | Bit(Role.Feedback) | Bit(Role.Operate),
        Role.Admin => Bit(Role.Predict) | Bit(Role.Feedback) | Bit(Role.Operate) | Bit(Role.Admin),
        _ => Bit(role),
    };

    private static int Bit(Role role) => 1 << (int)role;
}
