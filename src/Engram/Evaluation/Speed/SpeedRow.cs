namespace Engram.Evaluation.Speed;

/// <summary>One line of the table of speeds.</summary>
/// <param name="Work">What was done.</param>
/// <param name="Measured">The number.</param>
/// <param name="Unit">What it counts, for example <c>× naive</c>.</param>
/// <param name="Goal">What it should be.</param>
/// <param name="AtLeast">Whether larger is better; otherwise smaller is.</param>
/// <param name="Note">Spread of the rounds, or further numbers.</param>
public sealed record SpeedRow(string Work, double Measured, string Unit, double Goal, bool AtLeast, string Note = "")
{
    /// <summary>Whether the goal is met here.</summary>
    public bool IsMet => AtLeast ? Measured >= Goal : Measured <= Goal;
}
