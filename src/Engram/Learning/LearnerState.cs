using Engram.Data;

namespace Engram.Learning;

/// <summary>What a learner knows besides its tensors' values: enough, with them, to go on as if it had never stopped.</summary>
/// <param name="Learnt">Experiences learnt to their end.</param>
/// <param name="Completed">How many of them.</param>
/// <param name="KnownBefore">Classes known before the present experience.</param>
/// <param name="Cursor">Where the present experience stands.</param>
/// <param name="InputShape">Shape of one sample.</param>
/// <param name="InputType">Element type of the samples.</param>
/// <param name="TargetKind">What the targets are.</param>
/// <param name="Tally">What the present experience has cost so far.</param>
internal sealed record LearnerState(
    IReadOnlyList<int> Learnt, int Completed, int KnownBefore, LearningCursor? Cursor, IReadOnlyList<long>? InputShape,
    ScalarType? InputType, TargetKind TargetKind, LearningTally? Tally);
