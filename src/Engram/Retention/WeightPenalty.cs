using Engram.Learning;
using Engram.Models;

namespace Engram.Retention;

/// <summary>
/// What EWC, SI, MAS and RWalk share: one quadratic penalty, merged over experiences, that holds weights near old values. They
/// differ in how they find out which weights matter.
/// </summary>
public abstract class WeightPenalty : RetentionMechanism
{
    /// <inheritdoc/>
    public override Seams Seams => Seams.Gradient;

    /// <inheritdoc/>
    public override long MemoryBytes => Penalty.Bytes;

    /// <summary>Importance and anchor of every parameter, merged, without the strength.</summary>
    public QuadraticPenalty Penalty { get; } = new();

    /// <inheritdoc/>
    protected internal override void OnGrowth(LearningContext context, ArenaChange change) => Penalty.Carry(change);

    /// <inheritdoc/>
    protected internal override void Save(MechanismState state) => Penalty.Save(state);

    /// <inheritdoc/>
    protected internal override void Load(LearningContext context, MechanismState state)
    {
        ArgumentNullException.ThrowIfNull(context);
        Penalty.Load(state, context.Arena);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => Penalty.Dispose();
}
