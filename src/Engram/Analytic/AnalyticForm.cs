namespace Engram.Analytic;

/// <summary>An analytic learner's scores as a formula over features φ, float64, for files that others run.</summary>
/// <param name="Offset"><c>[classes]</c>, added last; minus infinity for a class without samples.</param>
internal abstract record AnalyticForm(Tensor Offset);

/// <summary>φW.</summary>
/// <param name="Weights">W, <c>[features, classes]</c>.</param>
/// <param name="Offset"><c>[classes]</c>.</param>
internal sealed record LinearForm(Tensor Weights, Tensor Offset) : AnalyticForm(Offset);

/// <summary>−½‖L_c(φ̂ − μ_c)‖² with φ̂ = sign φ · |φ|^λ brought to length 1.</summary>
/// <param name="Means">μ, <c>[classes, features]</c>.</param>
/// <param name="Whitening">L, <c>[classes, features, features]</c>.</param>
/// <param name="Tukey">λ.</param>
/// <param name="Offset"><c>[classes]</c>.</param>
internal sealed record DistanceForm(Tensor Means, Tensor Whitening, double Tukey, Tensor Offset) : AnalyticForm(Offset);
