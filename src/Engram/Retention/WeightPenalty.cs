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

    /// <summary>A strength that grows with the number n of experiences learnt: λ·n^growth.</summary>
    /// <param name="lambda">λ: what it is in the second experience, the first with a past.</param>
    /// <param name="growth">The exponent; 0 for a constant strength.</param>
    /// <param name="step">The step at hand.</param>
    internal static double Grown(double lambda, double growth, TrainingStep step) =>
        growth == 0 ? lambda : lambda * Math.Pow(step.Context.Completed, growth);

    internal static void CheckGrowth(double growth)
    {
        if (!(growth >= 0 && double.IsFinite(growth))) throw new ArgumentException($"Growth: {growth}, expected a number of 0 or more");
    }

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
